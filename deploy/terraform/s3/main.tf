# An S3 bucket for Custody: object lock from the first moment, versions that
# nobody may delete, and policies for those who write, read and prolong.
# docs/stores.md explains each choice.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90"
    }
  }
}

variable "bucket" {
  description = "Name of the bucket. It is made with object lock, which cannot be switched off again."
  type        = string
}

variable "prefix" {
  description = "The exporter's prefix, without slashes around it."
  type        = string
  default     = "custody"
}

variable "admin_arns" {
  description = "Roles that may change the bucket's settings, the one that runs Terraform among them. Everybody else in the account is refused; only the account's root user can undo that."
  type        = list(string)
  validation {
    condition     = length(var.admin_arns) > 0
    error_message = "Name the role that runs Terraform, or it locks itself out."
  }
}

variable "mode" {
  description = "COMPLIANCE: nobody can shorten, root included. GOVERNANCE: for trying out."
  type        = string
  default     = "COMPLIANCE"
  validation {
    condition     = contains(["COMPLIANCE", "GOVERNANCE"], var.mode)
    error_message = "COMPLIANCE or GOVERNANCE."
  }
}

variable "default_days" {
  description = "Default retention for what is written without one of its own, such as somebody else's object. Custody sends mode and date with every object and does not rely on it."
  type        = number
  default     = 1
}

variable "max_days" {
  description = "Longest retention that anybody may ask for: a stolen writer could otherwise lock rubbish for a hundred years. A little above the exporter's retention.days."
  type        = number
  default     = 2600
}

variable "kms_key_arn" {
  description = "The exporter's kms_key, as an ARN; null without one."
  type        = string
  default     = null
}

variable "expire_segments" {
  description = "Per log: days after which segments are deleted, beyond their retention. Seals and tiles are never deleted."
  type        = map(number)
  default     = {}
}

locals {
  arn     = aws_s3_bucket.store.arn
  base    = var.prefix == "" ? "" : "${var.prefix}/"
  objects = "${aws_s3_bucket.store.arn}/${var.prefix == "" ? "" : "${var.prefix}/"}*"
  kms     = var.kms_key_arn == null ? [] : [var.kms_key_arn]
}

resource "aws_s3_bucket" "store" {
  bucket              = var.bucket
  object_lock_enabled = true # switches versioning on, too; neither can be suspended

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_object_lock_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    default_retention {
      mode = var.mode
      days = var.default_days
    }
  }
}

resource "aws_s3_bucket_versioning" "store" {
  bucket = aws_s3_bucket.store.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_ownership_controls" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    object_ownership = "BucketOwnerEnforced" # no ACLs
  }
}

resource "aws_s3_bucket_public_access_block" "store" {
  bucket                  = aws_s3_bucket.store.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Lifecycle rules are not bound by bucket policies, but by object lock they are:
# a locked version stays, whatever a rule says.
resource "aws_s3_bucket_lifecycle_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    id     = "abandoned-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "probes" # what the exporter leaves at its starts
    status = "Enabled"
    filter {
      prefix = "${local.base}.custody/"
    }
    expiration {
      days = 7
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  dynamic "rule" {
    for_each = var.expire_segments
    content {
      id     = "segments-of-${rule.key}"
      status = "Enabled"
      filter {
        prefix = "${local.base}${rule.key}/segments/"
      }
      expiration {
        days = rule.value # lays a delete marker on top
      }
      noncurrent_version_expiration {
        noncurrent_days = 1 # removes what lies below
      }
    }
  }

  dynamic "rule" {
    for_each = var.expire_segments
    content {
      id     = "markers-of-${rule.key}"
      status = "Enabled"
      filter {
        prefix = "${local.base}${rule.key}/segments/"
      }
      expiration {
        expired_object_delete_marker = true # removes a marker with nothing below
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.store]
}

resource "aws_s3_bucket_policy" "store" {
  bucket = aws_s3_bucket.store.id
  policy = data.aws_iam_policy_document.bucket.json

  depends_on = [aws_s3_bucket_public_access_block.store]
}

output "bucket_arn" {
  value = aws_s3_bucket.store.arn
}
