# The collector's role: it reads the bucket, deletes messages of its queue, and can do
# nothing else. A test compares its actions with the calls that the receiver makes.

data "aws_iam_policy_document" "read" {
  statement {
    sid       = "Queue"
    actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"]
    resources = [aws_sqs_queue.trail.arn]
  }
  statement {
    sid       = "Files"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.bucket_arn}/AWSLogs/*"]
  }
  statement {
    sid       = "Listing" # without it, what does not exist looks like what must not be read
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]
  }
  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.trail.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.${data.aws_partition.current.dns_suffix}"]
    }
  }
  statement {
    sid       = "PublicKeys" # cannot be limited to a resource
    actions   = ["cloudtrail:ListPublicKeys"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "assume" {
  dynamic "statement" {
    for_each = length(var.reader_arns) == 0 ? [] : [1]
    content {
      sid     = "Identities"
      actions = ["sts:AssumeRole"]
      principals {
        type        = "AWS"
        identifiers = var.reader_arns
      }
      dynamic "condition" {
        for_each = var.external_id == null ? [] : [var.external_id]
        content {
          test     = "StringEquals"
          variable = "sts:ExternalId"
          values   = [condition.value]
        }
      }
    }
  }
  dynamic "statement" {
    for_each = var.oidc == null ? [] : [var.oidc]
    content {
      sid     = "ServiceAccount"
      actions = ["sts:AssumeRoleWithWebIdentity"]
      principals {
        type        = "Federated"
        identifiers = [statement.value.provider_arn]
      }
      condition {
        test     = "StringEquals"
        variable = "${statement.value.issuer}:aud"
        values   = ["sts.amazonaws.com"]
      }
      condition {
        test     = "StringEquals"
        variable = "${statement.value.issuer}:sub"
        values   = ["system:serviceaccount:${statement.value.service_account}"]
      }
    }
  }
}

resource "aws_iam_role" "read" {
  name                 = "${var.name}-read"
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  max_session_duration = 43200

  lifecycle {
    precondition {
      condition     = length(var.reader_arns) > 0 || var.oidc != null
      error_message = "Say in reader_arns or oidc who may assume the reader's role."
    }
  }
}

resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.read.id
  policy = data.aws_iam_policy_document.read.json
}
