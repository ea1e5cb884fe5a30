package memory_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/features/storetest"
)

func TestStoreKeepsItsPromises(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Store { return memory.New() })
}

func TestSequences(t *testing.T) {
	t.Parallel()
	storetest.RunSequences(t, func(*testing.T) storetest.Store { return memory.New() }, 2_000)
}
