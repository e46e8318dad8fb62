package distro

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"go.opentelemetry.io/collector/confmap"
)

// withHint adds the way out to errors of the collector's machinery that leave
// it open.
func withHint(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; another process listens there, perhaps a second collector: stop it, or set another endpoint", err)
	}
	return err
}

// naming returns a factory whose providers name the place of a configuration
// that is no YAML: the collector says what is wrong, but not in which file.
func naming(factory confmap.ProviderFactory) confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(set confmap.ProviderSettings) confmap.Provider {
		return namingProvider{factory.Create(set)}
	})
}

type namingProvider struct{ confmap.Provider }

// Retrieve fails for a YAML file that cannot be parsed.
func (p namingProvider) Retrieve(ctx context.Context, uri string, watcher confmap.WatcherFunc) (*confmap.Retrieved, error) {
	ret, err := p.Provider.Retrieve(ctx, uri, watcher)
	if err != nil {
		return nil, err
	}
	// Elsewhere text that is no YAML is a plain value, for example a secret.
	if ext := filepath.Ext(uri); ext != ".yaml" && ext != ".yml" {
		return ret, nil
	}
	// Only broken YAML has a cause; a list or a number is for others to judge.
	if _, err := ret.AsConf(); errors.Unwrap(err) != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", uri, errors.Unwrap(err)), ret.Close(ctx))
	}
	return ret, nil
}
