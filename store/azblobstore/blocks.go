package azblobstore

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/otelcol-custody/custody/store"
)

// Sizes of uploads in bytes, and how many blocks of one go at once. In blocks
// an upload's checksums are made while others travel, which is faster from
// about 8 MiB on, but the service charges each block as a write. Blocks above
// 4 MiB get the service's high throughput.
const (
	oneRequest = 8 << 20
	blockSize  = 5 << 20
	inParallel = 4
)

// inBlocks stages blocks and commits them in one step: nobody sees a part.
func (w *write) inBlocks(ctx context.Context) (store.Info, error) {
	ids, err := w.stage(ctx)
	if err != nil {
		return store.Info{}, err
	}
	resp, err := w.client.CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{
		AccessConditions: w.new, Metadata: w.meta, Tags: w.store.tags, Tier: w.store.tier, CPKScopeInfo: w.store.scope,
		ImmutabilityPolicyMode: w.mode, ImmutabilityPolicyExpiryTime: w.until, LegalHold: w.hold,
	})
	if err == nil && value(resp.ETag) == "" {
		err = errNoETag
	}
	return store.Info{Version: value(resp.VersionID), Modified: utc(resp.LastModified)}, err
}

// stage uploads all blocks, a few at a time, and returns their names in order.
// The first failure ends it.
func (w *write) stage(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ids := make([]string, (len(w.data)+blockSize-1)/blockSize)
	slots := make(chan struct{}, inParallel)
	var done sync.WaitGroup
	for i := range ids {
		ids[i] = w.blockID(i)
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		done.Go(func() {
			defer func() { <-slots }()
			part := w.data[i*blockSize : min((i+1)*blockSize, len(w.data))]
			_, err := w.client.StageBlock(ctx, ids[i], body(part), &blockblob.StageBlockOptions{
				TransactionalValidation: checksum(part), CPKScopeInfo: w.store.scope,
			})
			if err != nil {
				cancel(err) // The first cause stays.
			}
		})
	}
	done.Wait()
	return ids, context.Cause(ctx)
}

// blockID names a block after the whole content, so that writers of other
// bytes at the same name do not replace each other's blocks, and those of the
// same bytes may.
func (w *write) blockID(i int) string {
	id := append([]byte(nil), w.sum[:16]...)
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(id, uint64(i)))
}
