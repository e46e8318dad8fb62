# A Cloud Storage bucket for Custody: retention per object, and roles for those
# who write, read and prolong. docs/stores.md explains each choice.

terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
  }
}

variable "project" {
  type = string
}

variable "bucket" {
  type = string
}

variable "location" {
  description = "A region, such as europe-west3, or a dual or multi region, such as EU."
  type        = string
}

variable "prefix" {
  description = "The exporter's prefix, without slashes around it."
  type        = string
  default     = "custody"
}

variable "writers" {
  description = "Members such as serviceAccount:collector@acme-audit.iam.gserviceaccount.com."
  type        = set(string)
}

variable "readers" {
  type    = set(string)
  default = []
}

variable "extenders" {
  description = "Who runs retain."
  type        = set(string)
  default     = []
}

variable "floor_days" {
  description = "Retention of the whole bucket, whoever writes what; 0 for none. It binds everything, seals, tiles and strangers' objects too."
  type        = number
  default     = 0
}

variable "floor_locked" {
  description = "Lock floor_days: it can then never be shortened or removed, and a lien keeps the project from being deleted."
  type        = bool
  default     = false
}

variable "kms_key" {
  description = "Default key of the bucket; null without one. Who destroys it makes everything unreadable."
  type        = string
  default     = null
}

variable "expire_segments" {
  description = "Per log: days after which segments are deleted, beyond their retention. Seals and tiles are never deleted."
  type        = map(number)
  default     = {}
}

resource "google_storage_bucket" "store" {
  project                     = var.project
  name                        = var.bucket
  location                    = var.location
  enable_object_retention     = true # cannot be switched off again
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Without versions, Cloud Storage refuses to replace or delete what is
  # retained. With versions it would let it become noncurrent: hidden.
  versioning {
    enabled = false
  }

  dynamic "retention_policy" {
    for_each = var.floor_days > 0 ? [var.floor_days] : []
    content {
      retention_period = retention_policy.value * 86400
      is_locked        = var.floor_locked
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  # An object that is still retained stays, whatever a rule says.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 7
      matches_prefix = ["${local.base}.custody/"] # what the exporter leaves at its starts
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.expire_segments
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = ["${local.base}${lifecycle_rule.key}/segments/"]
      }
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

locals {
  base = var.prefix == "" ? "" : "${var.prefix}/"
  read = [
    "storage.buckets.get", # the bucket's settings
    "storage.objects.get",
    "storage.objects.list",
  ]
  roles = {
    custodyReader = {
      members     = var.readers
      permissions = local.read
    }
    # Replacing an object needs storage.objects.delete, shortening needs
    # storage.objects.overrideUnlockedRetention: nobody here has either.
    custodyWriter = {
      members     = var.writers
      permissions = concat(local.read, ["storage.objects.create", "storage.objects.setRetention", "storage.objects.update"])
    }
    custodyExtender = {
      members     = var.extenders
      permissions = concat(local.read, ["storage.objects.create", "storage.objects.setRetention", "storage.objects.update"])
    }
  }
  grants = merge([for role, r in local.roles : { for m in r.members : "${role} ${m}" => { role = role, member = m } }]...)
}

resource "google_project_iam_custom_role" "custody" {
  for_each    = local.roles
  project     = var.project
  role_id     = each.key
  title       = each.key
  permissions = each.value.permissions
}

resource "google_storage_bucket_iam_member" "custody" {
  for_each = local.grants
  bucket   = google_storage_bucket.store.name
  role     = google_project_iam_custom_role.custody[each.value.role].id
  member   = each.value.member
}

output "bucket" {
  value = google_storage_bucket.store.url
}
