package cloudtrail

import "testing"

func TestGolden(t *testing.T) { ofCloudTrail.Golden(t) }
