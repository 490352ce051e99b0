module kubeops.invalid/webhook_doctor/proxyoracle

go 1.26
