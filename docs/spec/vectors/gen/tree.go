package main

// rootOf is RFC 6962 §2.1 over leaf hashes, as it stands there.
func rootOf(leaves []hash) hash {
	if len(leaves) == 0 {
		return h()
	}
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := rootOf(leaves[:k]), rootOf(leaves[k:])
	return h([]byte{1}, left[:], right[:])
}

// edgeOf is the edge of a tree (spec §4): the last hashes of each level, lowest
// level first.
func edgeOf(leaves []hash) []hash {
	var edge []hash
	for level := leaves; len(level) > 0; level = above(level) {
		edge = append(edge, level[len(level)/256*256:]...)
	}
	return edge
}

// above are the hashes of the next level.
func above(level []hash) []hash {
	var up []hash
	for ; len(level) >= 256; level = level[256:] {
		up = append(up, rootOf(level[:256]))
	}
	return up
}

// rootOfEdge is the root of the tree of a size below 65,536 that has this edge.
func rootOfEdge(size uint64, edge []hash) hash {
	if len(edge) == 0 {
		return h()
	}
	low, high := edge[:size%256], edge[size%256:]
	if len(high) == 0 {
		return rootOf(low)
	}
	// The subtrees of level 1 are perfect; those of level 0 are the odd one out.
	if len(low) > 0 {
		high = append(bytesOf(high), rootOf(low))
	}
	return rootOf(high)
}
