module kubeops.dev/webhook-doctor/lab/faultserver

go 1.22
