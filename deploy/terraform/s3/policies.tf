# What the bucket refuses to everybody, and what each role is allowed.

data "aws_iam_policy_document" "bucket" {
  # No version is deleted and nothing is hidden below a delete marker, except
  # by lifecycle rules.
  statement {
    sid       = "NobodyDeletes"
    effect    = "Deny"
    actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]
    resources = ["${local.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }

  # A write must say If-None-Match, so an existing name cannot be shadowed by a
  # newer version. Parts of a multipart upload cannot say it; its end does. The
  # exporter's probes, below .custody/, are left out: they write both ways.
  statement {
    sid       = "OnlyCreate"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = [for folder in ["segments", "seals", "tiles"] : "${local.arn}/${local.base}*/${folder}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["true"]
    }
    condition {
      test     = "Bool"
      variable = "s3:ObjectCreationOperation"
      values   = ["true"]
    }
  }

  statement {
    sid       = "NotForEver"
    effect    = "Deny"
    actions   = ["s3:PutObject", "s3:PutObjectRetention"]
    resources = ["${local.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "NumericGreaterThan"
      variable = "s3:object-lock-remaining-retention-days"
      values   = [tostring(var.max_days)]
    }
  }

  # Legal holds can be laid by who has the right to, and lifted by admins only.
  statement {
    sid       = "HoldsStay"
    effect    = "Deny"
    actions   = ["s3:PutObjectLegalHold"]
    resources = ["${local.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "StringEquals"
      variable = "s3:object-lock-legal-hold"
      values   = ["OFF"]
    }
    condition {
      test     = "ArnNotLike"
      variable = "aws:PrincipalArn"
      values   = var.admin_arns
    }
  }

  statement {
    sid    = "SettingsStay"
    effect = "Deny"
    actions = [
      "s3:DeleteBucket",
      "s3:DeleteBucketPolicy",
      "s3:PutBucketObjectLockConfiguration",
      "s3:PutBucketPolicy",
      "s3:PutBucketVersioning",
      "s3:PutEncryptionConfiguration",
      "s3:PutLifecycleConfiguration",
    ]
    resources = [local.arn]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "ArnNotLike"
      variable = "aws:PrincipalArn"
      values   = var.admin_arns
    }
  }

  statement {
    sid       = "OnlyTLS"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.arn, "${local.arn}/*"]
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

data "aws_iam_policy_document" "read" {
  statement {
    sid = "Objects"
    actions = [
      "s3:GetObject",
      "s3:GetObjectLegalHold", # without it, a hold is invisible
      "s3:GetObjectRetention", # without it, a lock is invisible
      "s3:GetObjectVersion",   # what lies below a shadow or a delete marker
    ]
    resources = [local.objects]
  }
  statement {
    sid = "Bucket"
    actions = [
      "s3:GetBucketObjectLockConfiguration",
      "s3:ListBucket",
      "s3:ListBucketVersions",
    ]
    resources = [local.arn]
  }
  dynamic "statement" {
    for_each = local.kms
    content {
      sid       = "Decrypt"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "write" {
  source_policy_documents = [data.aws_iam_policy_document.read.json]

  statement {
    sid = "Write"
    actions = [
      "s3:AbortMultipartUpload", # large objects that failed half-way
      "s3:PutObject",
      "s3:PutObjectLegalHold", # only for retention.legal_hold
      "s3:PutObjectRetention", # lock headers need it; it can only prolong
      "s3:PutObjectTagging",   # only for tags
    ]
    resources = [local.objects]
  }
  dynamic "statement" {
    for_each = local.kms
    content {
      sid       = "Encrypt"
      actions   = ["kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "extend" {
  source_policy_documents = [data.aws_iam_policy_document.read.json]

  statement {
    sid       = "Extend"
    actions   = ["s3:PutObjectLegalHold", "s3:PutObjectRetention"]
    resources = [local.objects]
  }
  statement {
    sid       = "Probe" # a store opened for writing tries out what it does
    actions   = ["s3:PutObject"]
    resources = ["${local.arn}/${local.base}.custody/*"]
  }
}

resource "aws_iam_policy" "write" {
  name   = "${var.bucket}-write"
  policy = data.aws_iam_policy_document.write.json
}

resource "aws_iam_policy" "read" {
  name   = "${var.bucket}-read"
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_policy" "extend" {
  name   = "${var.bucket}-extend"
  policy = data.aws_iam_policy_document.extend.json
}

output "policies" {
  description = "Attach write to the collector's role, read to the verifier's, extend to whoever runs retain."
  value = {
    write  = aws_iam_policy.write.arn
    read   = aws_iam_policy.read.arn
    extend = aws_iam_policy.extend.arn
  }
}
