package record

const (
	orderSlots = 32
	orderMax   = 64
)

// An orderCache remembers how maps were sorted. A producer's records mostly
// have the same keys in the same order, and to check that an order fits is
// much cheaper than to find it. A remembered order is never trusted.
type orderCache [orderSlots][orderMax]byte

// slot returns the order that a map like kvs had, or any other permutation of
// the right length.
func (c *orderCache) slot(kvs []KeyValue) []byte {
	n := len(kvs)
	first, last := kvs[0].Key, kvs[n-1].Key
	order := c[(n+3*len(first)+5*len(last))%orderSlots][:]
	// A slot holds a permutation of all its indices at any time, so that those
	// below n, in their order, are one of n.
	if order[0] == order[1] {
		for i := range order {
			order[i] = byte(i)
		}
	}
	return order
}

// pushOrder puts on the stack e.order how kvs is sorted by emitted key, and
// returns true; or returns false, with nothing on the stack, when keys are not
// all plain and different or are too many.
func (e *Encoder) pushOrder(kvs []KeyValue) bool {
	n := len(kvs)
	if n > orderMax {
		return false
	}
	for i := range kvs {
		if !isPlain(kvs[i].Key) {
			return false
		}
	}
	base := len(e.order)
	if increasing(kvs) {
		for i := range kvs {
			e.order = append(e.order, byte(i))
		}
		return true
	}
	slot := e.orders.slot(kvs)
	for _, i := range slot {
		if int(i) < n {
			e.order = append(e.order, i)
		}
	}
	order := e.order[base:]
	changed, ok := sortOrder(order, kvs)
	if !ok {
		e.order = e.order[:base]
		return false
	}
	if changed {
		copy(slot, order)
		for i := n; i < orderMax; i++ {
			slot[i] = byte(i)
		}
	}
	return true
}

func increasing(kvs []KeyValue) bool {
	for i := 1; i < len(kvs); i++ {
		if kvs[i-1].Key >= kvs[i].Key {
			return false
		}
	}
	return true
}

// sortOrder sorts by insertion: few keys, and mostly sorted already. It returns
// ok false when two keys are equal.
func sortOrder(order []byte, kvs []KeyValue) (changed, ok bool) {
	for i := 1; i < len(order); i++ {
		at := order[i]
		key := kvs[at].Key
		j := i
		for ; j > 0 && kvs[order[j-1]].Key > key; j-- {
			order[j] = order[j-1]
		}
		order[j] = at
		changed = changed || j != i
		if j > 0 && kvs[order[j-1]].Key == key {
			return changed, false
		}
	}
	return changed, true
}
