# Written by `groundplan build`: change the plan instead. Without this line the file is yours.
platform                  = "payments"
environment               = "staging"
host                      = "staging.pay.example.com"
zones                     = 1
requests_cpu_millicores   = 4750
requests_memory_mebibytes = 6080
pods                      = 57
backup_keep_days          = 14

node_ports = {
  "80"  = 30080
  "443" = 30443
}
