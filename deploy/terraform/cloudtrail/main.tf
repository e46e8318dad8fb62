# What Custody needs to take CloudTrail out of AWS: a trail for all regions with log file
# validation, a bucket whose files nobody can change, a key, a queue that is told of every
# file, and a role that can read all that and nothing else. docs/aws.md explains each choice.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90"
    }
  }
}

variable "name" {
  description = "Name of the trail, and of what belongs to it: queues, role, key alias."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket. It is made with object lock, which cannot be switched off again."
  type        = string
}

variable "organization_id" {
  description = "o-…, to record every account of the organization; apply it in the management account then. null for this account alone."
  type        = string
  default     = null
}

variable "lock_mode" {
  description = "COMPLIANCE: nobody can delete a file before its time, root included. GOVERNANCE: for trying out."
  type        = string
  default     = "COMPLIANCE"
  validation {
    condition     = contains(["COMPLIANCE", "GOVERNANCE"], var.lock_mode)
    error_message = "COMPLIANCE or GOVERNANCE."
  }
}

variable "lock_days" {
  description = "Days for which CloudTrail's own files are locked. Custody keeps what they say for longer."
  type        = number
  default     = 400
}

variable "expire_days" {
  description = "Days after which CloudTrail's files are removed, more than lock_days; null never."
  type        = number
  default     = null
}

variable "admin_arns" {
  description = "Roles that may change the bucket's settings, the one that runs Terraform among them. Everybody else in the account is refused; only the account's root user can undo that."
  type        = list(string)
  validation {
    condition     = length(var.admin_arns) > 0
    error_message = "Name the role that runs Terraform, or it locks itself out."
  }
}

variable "reader_arns" {
  description = "Identities that may assume the reader's role, such as the collector's in another account."
  type        = list(string)
  default     = []
}

variable "external_id" {
  description = "What they have to present; the receiver's external_id. null for nothing."
  type        = string
  default     = null
}

variable "oidc" {
  description = "A Kubernetes service account that may assume the reader's role by web identity (IRSA): the provider's ARN, its issuer without https://, and NAMESPACE:NAME. null for none."
  type = object({
    provider_arn    = string
    issuer          = string
    service_account = string
  })
  default = null
}

variable "alarm_topic_arn" {
  description = "SNS topic that is told when the queue is not read, or messages could not be worked off; null for no alarms."
  type        = string
  default     = null
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.name
  # By their names, so that policies and what they are for do not wait for each other.
  trail_arn  = "arn:${data.aws_partition.current.partition}:cloudtrail:${local.region}:${local.account}:trail/${var.name}"
  bucket_arn = "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}"
  owners     = var.organization_id == null ? [local.account] : [local.account, var.organization_id]
}

resource "aws_cloudtrail" "this" {
  name                          = var.name
  s3_bucket_name                = aws_s3_bucket.trail.id
  kms_key_id                    = aws_kms_key.trail.arn
  is_multi_region_trail         = true
  include_global_service_events = true
  is_organization_trail         = var.organization_id != null
  enable_log_file_validation    = true # digests: what Custody checks CloudTrail's files by

  # A trail writes at once, and the queue must be told of its first file.
  depends_on = [aws_s3_bucket_policy.trail, aws_s3_bucket_notification.trail]
}

output "queue_url" {
  description = "The receiver's sqs::queue_url."
  value       = aws_sqs_queue.trail.url
}

output "bucket" {
  description = "The receiver's bucket::name."
  value       = aws_s3_bucket.trail.id
}

output "reader_role_arn" {
  description = "The receiver's role_arn, and what to name in exclude_principals."
  value       = aws_iam_role.read.arn
}

output "trail_arn" {
  value = aws_cloudtrail.this.arn
}
