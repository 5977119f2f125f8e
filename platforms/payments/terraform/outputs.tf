output "cluster" {
  description = "Name of the cluster: aws eks update-kubeconfig --name …"
  value       = aws_eks_cluster.platform.name
}

output "registry" {
  description = "What the plan's environment says as registry."
  value       = split("/", aws_ecr_repository.platform.repository_url)[0]
}

output "backups" {
  description = "Bucket for backups."
  value       = aws_s3_bucket.backups.bucket
}

output "nodes" {
  description = "Nodes in all zones, computed from what the plan requests."
  value       = local.nodes_per_zone * length(local.zones)
}
