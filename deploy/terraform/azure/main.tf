# A storage account and container for Custody: immutability per version, and
# roles for those who write, read and prolong. docs/stores.md explains each
# choice.

terraform {
  required_version = ">= 1.5"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.9"
    }
  }
}

# The provider block is yours; with shared keys off it needs
#   storage_use_azuread = true

variable "resource_group_name" {
  type = string
}

variable "location" {
  type = string
}

variable "account" {
  description = "Name of the storage account: 3 to 24 lower-case letters and digits."
  type        = string
}

variable "container" {
  type    = string
  default = "audit"
}

variable "prefix" {
  description = "The exporter's prefix, without slashes around it."
  type        = string
  default     = "custody"
}

variable "replication" {
  description = "LRS, ZRS, GRS, GZRS, RAGRS or RAGZRS."
  type        = string
  default     = "ZRS"
}

variable "default_days" {
  description = "Default retention of the account for what is written without one of its own. It has to be there for version-level immutability to be switched on; Custody sends mode and date with every blob and does not rely on it."
  type        = number
  default     = 1
}

variable "writers" {
  description = "Object ids of the collectors' identities."
  type        = set(string)
}

variable "create_only" {
  description = "Let writers create blobs and not replace them. By Microsoft's table of permissions blobs/add/action is enough for that; it was not tested with Custody. If the exporter is refused with 403, set it to false."
  type        = bool
  default     = false
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

variable "expire_segments" {
  description = "Per log: days after which segments are deleted, beyond their retention. Seals and tiles are never deleted."
  type        = map(number)
  default     = {}
}

resource "azurerm_storage_account" "store" {
  name                            = var.account
  resource_group_name             = var.resource_group_name
  location                        = var.location
  account_tier                    = "Standard"
  account_kind                    = "StorageV2"
  account_replication_type        = var.replication
  is_hns_enabled                  = false # version-level immutability does not work with it
  min_tls_version                 = "TLS1_2"
  https_traffic_only_enabled      = true
  allow_nested_items_to_be_public = false
  shared_access_key_enabled       = false # account keys may lift holds and unlocked policies

  # This block is what switches version-level immutability on, when the account
  # is made and for good. It is unlocked so that default_days can be changed;
  # what binds a blob is the locked policy that comes with it.
  immutability_policy {
    state                         = "Unlocked"
    period_since_creation_in_days = var.default_days
    allow_protected_append_writes = false
  }

  blob_properties {
    versioning_enabled = true
    container_delete_retention_policy {
      days = 30
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_storage_container" "store" {
  name                  = var.container
  storage_account_id    = azurerm_storage_account.store.id
  container_access_type = "private"

  lifecycle {
    prevent_destroy = true
  }
}

# Keeps the account from being deleted by mistake. Immutability does so, too,
# as long as a container holds blobs.
resource "azurerm_management_lock" "store" {
  name       = "custody"
  scope      = azurerm_storage_account.store.id
  lock_level = "CanNotDelete"
}

# A version that is still retained stays, whatever a rule says.
resource "azurerm_storage_management_policy" "store" {
  storage_account_id = azurerm_storage_account.store.id

  rule {
    name    = "probes" # what the exporter leaves at its starts
    enabled = true
    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["${var.container}/${local.base}.custody/"]
    }
    actions {
      base_blob {
        delete_after_days_since_creation_greater_than = 7
      }
      version {
        delete_after_days_since_creation = 7
      }
    }
  }

  dynamic "rule" {
    for_each = var.expire_segments
    content {
      name    = "segments-of-${replace(rule.key, "/[^a-z0-9-]/", "-")}"
      enabled = true
      filters {
        blob_types   = ["blockBlob"]
        prefix_match = ["${var.container}/${local.base}${rule.key}/segments/"]
      }
      actions {
        base_blob {
          delete_after_days_since_creation_greater_than = rule.value
        }
        version {
          delete_after_days_since_creation = rule.value
        }
      }
    }
  }
}

locals {
  base = var.prefix == "" ? "" : "${var.prefix}/"
  # The resource manager's id of the container: what roles are assigned on.
  scope = "${azurerm_storage_account.store.id}/blobServices/default/containers/${azurerm_storage_container.store.name}"
  blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
  # With write, a new version can be laid above a blob; what lies below stays.
  # immutableStorage/runAsSuperUser/action sets a policy. It may prolong a
  # locked one, never shorten it; with mode unlocked, and for legal holds, it
  # may lift what it set. See docs/stores.md.
  writes = concat(var.create_only ? [] : ["${local.blobs}/write"], [
    "${local.blobs}/read",
    "${local.blobs}/add/action",
    "${local.blobs}/immutableStorage/runAsSuperUser/action",
  ])
  roles = {
    read = {
      members = var.readers
      data    = ["${local.blobs}/read"]
    }
    write = {
      members = var.writers
      data    = concat(local.writes, ["${local.blobs}/tags/write"]) # the last only for tags
    }
    extend = {
      members = var.extenders
      data    = local.writes
    }
  }
  grants = merge([for role, r in local.roles : { for m in r.members : "${role} ${m}" => { role = role, member = m } }]...)
}

resource "azurerm_role_definition" "custody" {
  for_each    = local.roles
  name        = "Custody ${each.key} ${var.account}/${var.container}"
  scope       = azurerm_storage_account.store.id
  description = "See docs/stores.md of Custody."

  permissions {
    actions      = ["Microsoft.Storage/storageAccounts/blobServices/containers/read"]
    data_actions = each.value.data
  }
}

resource "azurerm_role_assignment" "custody" {
  for_each           = local.grants
  scope              = local.scope
  role_definition_id = azurerm_role_definition.custody[each.value.role].role_definition_resource_id
  principal_id       = each.value.member
}

output "account_url" {
  value = trimsuffix(azurerm_storage_account.store.primary_blob_endpoint, "/")
}
