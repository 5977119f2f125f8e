terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.23"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      platform    = var.platform
      environment = var.environment
      managed-by  = "terraform"
    }
  }
}
