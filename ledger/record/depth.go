package record

// tooDeep says whether any value of r lies deeper than MaxDepth.
func tooDeep(r *Record) bool {
	return mapTooDeep(r.Attributes, 1) || valueTooDeep(&r.Body, 1) || mapTooDeep(r.Custody, 1) ||
		mapTooDeep(r.Resource.Attributes, 1) || mapTooDeep(r.Scope.Attributes, 1)
}

func valueTooDeep(v *Value, depth int) bool {
	if depth > MaxDepth {
		return true
	}
	switch v.Kind {
	case List:
		for i := range v.List {
			if valueTooDeep(&v.List[i], depth+1) {
				return true
			}
		}
	case Map:
		return mapTooDeep(v.Map, depth+1)
	}
	return false
}

// mapTooDeep looks at the values of kvs, which lie at depth.
func mapTooDeep(kvs []KeyValue, depth int) bool {
	for i := range kvs {
		if valueTooDeep(&kvs[i].Value, depth) {
			return true
		}
	}
	return false
}
