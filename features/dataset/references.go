package dataset

import "fmt"

// Known says which customers and products a store has already, so that a folder may
// speak of them without bringing them along.
type Known interface {
	// HasProduct reports whether the store has a product of the code.
	HasProduct(code string) (bool, error)
	// HasCustomer reports whether the store has a customer of the id.
	HasCustomer(id string) (bool, error)
}

// references answers whether an id exists, in the folder's own files or in the store.
type references struct {
	known     Known // nil: nothing is
	products  ids
	customers ids
}

// ids are those that are known to exist and those that are known not to.
type ids struct {
	present keySet
	absent  keySet
}

func newReferences(known Known) *references {
	return &references{
		known:     known,
		products:  ids{present: keySet{}, absent: keySet{}},
		customers: ids{present: keySet{}, absent: keySet{}},
	}
}

// check fails the row when a customer or a product that it names does not exist. The
// error that it returns is the store's.
func (f *references) check(r *row, customer, product int) error {
	if customer >= 0 {
		if err := f.checkOne(r, customer, &f.customers, "customer"); err != nil {
			return err
		}
	}
	if product >= 0 {
		return f.checkOne(r, product, &f.products, "product")
	}
	return nil
}

func (f *references) checkOne(r *row, column int, known *ids, what string) error {
	id := r.field(r.at[column])
	ok, err := f.has(known, id)
	if err != nil {
		return fmt.Errorf("look up %s %s: %w", what, id, err)
	}
	if !ok {
		r.failAt(r.names[column], id, "a "+what+" that "+what+"s.csv or the store has")
	}
	return nil
}

func (f *references) has(known *ids, id string) (bool, error) {
	if known.present.has(id) {
		return true, nil
	}
	if f.known == nil || known.absent.has(id) {
		return false, nil
	}
	lookup := f.known.HasProduct
	if known == &f.customers {
		lookup = f.known.HasCustomer
	}
	ok, err := lookup(id)
	if err != nil {
		return false, err
	}
	if ok {
		known.present.add([]byte(id))
	} else {
		known.absent.add([]byte(id))
	}
	return ok, nil
}
