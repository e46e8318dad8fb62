package cloudtrail

import "testing"

func FuzzParse(f *testing.F) { ofCloudTrail.Fuzz(f) }
