module kubeops.invalid/webhook_doctor/oracle

go 1.26
