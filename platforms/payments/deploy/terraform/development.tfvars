# Written by `groundplan build`: change the plan instead. Without this line the file is yours.
platform                  = "payments"
environment               = "development"
host                      = "dev.pay.example.com"
zones                     = 1
requests_cpu_millicores   = 3800
requests_memory_mebibytes = 4928
pods                      = 45
backup_keep_days          = 14

node_ports = {
  "80"  = 30080
  "443" = 30443
}
