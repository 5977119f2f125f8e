# What the plan says: `groundplan build` writes these into deploy/terraform/<environment>.tfvars.

variable "platform" {
  description = "Name of the platform."
  type        = string
}

variable "environment" {
  description = "Name of the environment."
  type        = string

  validation {
    condition     = length("${var.platform}-${var.environment}-443") <= 32
    error_message = "Load balancers and their targets have names of at most 32 letters."
  }
}

variable "host" {
  description = "Where the world finds the platform."
  type        = string
}

variable "zones" {
  description = "Availability zones that nodes are spread over."
  type        = number

  validation {
    condition     = var.zones >= 1 && var.zones <= 6
    error_message = "The address plan has room for six availability zones."
  }
}

variable "requests_cpu_millicores" {
  description = "CPU that all pods of the plan request at the top of their range, in the middle of a rollout, in millicores."
  type        = number
}

variable "requests_memory_mebibytes" {
  description = "Memory that they request, in MiB."
  type        = number
}

variable "pods" {
  description = "Pods of the plan at the top of their range, in the middle of a rollout."
  type        = number
}

variable "node_ports" {
  description = "Ports of every node at which the ingress controller listens, by the port that the world uses."
  type        = map(number)
}

variable "backup_keep_days" {
  description = "Days that the oldest backup of the plan is kept."
  type        = number
}

# What the account says.

variable "region" {
  description = "Region of AWS."
  type        = string
  default     = "eu-central-1"
}

variable "dns_zone" {
  description = "Public zone of Route 53 that the host lies in; it must be there already."
  type        = string
}

variable "api_server_cidrs" {
  description = "Addresses that may talk to the API server from outside of the VPC."
  type        = list(string)

  validation {
    condition     = !contains(var.api_server_cidrs, "0.0.0.0/0")
    error_message = "The API server is not for everybody: name the networks of those who deploy."
  }
}

variable "administrators" {
  description = "ARNs of the IAM roles that administer the cluster."
  type        = list(string)
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes."
  type        = string
  default     = "1.34"

  validation {
    condition     = tonumber(split(".", var.kubernetes_version)[1]) >= 30
    error_message = "The objects of the plan want Kubernetes 1.30 or newer."
  }
}

variable "cidr" {
  description = "Addresses of the VPC, a /16: a /20 for the nodes and pods of each zone, a /24 for its load balancers."
  type        = string
  default     = "10.64.0.0/16"
}

variable "node" {
  description = "Kind of node, and what it has: millicores, MiB, and pods that its network interfaces have addresses for."
  type = object({
    instance_type = string
    millicores    = number
    mebibytes     = number
    pods          = number
    disk_gib      = number
  })
  default = {
    instance_type = "m7i.large"
    millicores    = 2000
    mebibytes     = 8192
    pods          = 29
    disk_gib      = 50
  }
}

variable "headroom" {
  description = "Capacity as a multiple of what the plan requests, for charts, agents of the nodes and what the kubelet keeps."
  type        = number
  default     = 1.6

  validation {
    condition     = var.headroom >= 1
    error_message = "Less than the pods request leaves some of them pending."
  }
}
