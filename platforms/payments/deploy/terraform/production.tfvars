# Written by `groundplan build`: change the plan instead. Without this line the file is yours.
platform                  = "payments"
environment               = "production"
host                      = "pay.example.com"
zones                     = 3
requests_cpu_millicores   = 6150
requests_memory_mebibytes = 8128
pods                      = 67
backup_keep_days          = 14

node_ports = {
  "80"  = 30080
  "443" = 30443
}
