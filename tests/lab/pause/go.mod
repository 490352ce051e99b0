module kubeops.dev/webhook-doctor/lab/pause

go 1.26
