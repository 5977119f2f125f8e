# What stands around the cluster: the registry, the way in, names, certificates and backups.

resource "aws_ecr_repository" "platform" {
  name                 = var.platform
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.platform.arn
  }
}

resource "aws_ecr_lifecycle_policy" "platform" {
  repository = aws_ecr_repository.platform.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Layers without a name are of no use to anybody."
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
      action       = { type = "expire" }
    }]
  })
}

# The way in: a load balancer that passes TCP to the ingress controller's port of every node.

resource "aws_lb" "entry" {
  name               = local.name
  load_balancer_type = "network"
  subnets            = [for subnet in aws_subnet.public : subnet.id]
}

resource "aws_lb_target_group" "entry" {
  for_each = var.node_ports

  name     = "${local.name}-${each.key}"
  port     = each.value
  protocol = "TCP"
  vpc_id   = aws_vpc.platform.id
}

resource "aws_lb_listener" "entry" {
  for_each = var.node_ports

  load_balancer_arn = aws_lb.entry.arn
  port              = tonumber(each.key)
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.entry[each.key].arn
  }
}

resource "aws_autoscaling_attachment" "entry" {
  for_each = { for pair in setproduct(local.zones, keys(var.node_ports)) : join(":", pair) => pair }

  autoscaling_group_name = aws_eks_node_group.zone[each.value[0]].resources[0].autoscaling_groups[0].name
  lb_target_group_arn    = aws_lb_target_group.entry[each.value[1]].arn
}

# A network load balancer keeps the client's address: what it passes on comes from anywhere.
resource "aws_vpc_security_group_ingress_rule" "entry" {
  for_each = var.node_ports

  security_group_id = aws_eks_cluster.platform.vpc_config[0].cluster_security_group_id
  description       = "The world, through the load balancer, to the ingress controller"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

data "aws_route53_zone" "platform" {
  name = var.dns_zone
}

resource "aws_route53_record" "host" {
  zone_id = data.aws_route53_zone.platform.zone_id
  name    = var.host
  type    = "A"

  alias {
    name                   = aws_lb.entry.dns_name
    zone_id                = aws_lb.entry.zone_id
    evaluate_target_health = true
  }
}

# Backups: encrypted, versioned, never public, gone some time after the plan wants them gone.

resource "aws_s3_bucket" "backups" {
  bucket = "${local.name}-backups-${data.aws_caller_identity.current.account_id}"
}

resource "aws_s3_bucket_public_access_block" "backups" {
  bucket                  = aws_s3_bucket.backups.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "backups" {
  bucket = aws_s3_bucket.backups.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "backups" {
  bucket = aws_s3_bucket.backups.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.platform.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "backups" {
  bucket = aws_s3_bucket.backups.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.backup_keep_days + 7
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.backups]
}

data "aws_iam_policy_document" "backups" {
  statement {
    sid       = "OnlyEncryptedConnections"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.backups.arn, "${aws_s3_bucket.backups.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "backups" {
  bucket     = aws_s3_bucket.backups.id
  policy     = data.aws_iam_policy_document.backups.json
  depends_on = [aws_s3_bucket_public_access_block.backups]
}

# What pods may do in AWS: roles that the pod identity agent hands to one service account each.

data "aws_iam_policy_document" "assumed_by_pods" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "pod" {
  for_each = toset(["certificates", "volumes"])

  name               = "${local.name}-${each.value}"
  assume_role_policy = data.aws_iam_policy_document.assumed_by_pods.json
}

resource "aws_iam_role_policy_attachment" "volumes" {
  role       = aws_iam_role.pod["volumes"].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
}

# cert-manager proves by DNS-01 that the host is ours: https://cert-manager.io/docs/configuration/acme/dns01/route53/
data "aws_iam_policy_document" "certificates" {
  statement {
    actions   = ["route53:GetChange"]
    resources = ["arn:aws:route53:::change/*"]
  }

  statement {
    actions   = ["route53:ListResourceRecordSets"]
    resources = [data.aws_route53_zone.platform.arn]
  }

  statement {
    actions   = ["route53:ChangeResourceRecordSets"]
    resources = [data.aws_route53_zone.platform.arn]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
      values   = ["_acme-challenge.${var.host}"]
    }

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsRecordTypes"
      values   = ["TXT"]
    }
  }
}

resource "aws_iam_role_policy" "certificates" {
  name   = "dns-01"
  role   = aws_iam_role.pod["certificates"].name
  policy = data.aws_iam_policy_document.certificates.json
}

resource "aws_eks_pod_identity_association" "certificates" {
  cluster_name    = aws_eks_cluster.platform.name
  namespace       = "cert-manager"
  service_account = "cert-manager"
  role_arn        = aws_iam_role.pod["certificates"].arn
}
