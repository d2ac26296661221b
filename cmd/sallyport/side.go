package main

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport/sallyport/core/admin"
	"github.com/sallyport/sallyport/core/config"
)

// closeSide is how long requests of an admin listener that is given up may take.
const closeSide = 5 * time.Second

// side is the admin interface that a config wants: made ready before the config is in force, so that what is wrong refuses it.
type side struct {
	access *admin.Access
	fresh  *admin.Server // nil: the one that is there stays, or there is to be none
}

// prepareAdmin reads what the config's admin table needs, and opens its address if it is a new one; the caller holds mu.
func (p *process) prepareAdmin(cfg *config.Config) (s side, err error) {
	if cfg.Admin == nil {
		return side{}, nil
	}
	if s.access, err = admin.NewAccess(cfg); err != nil {
		return side{}, err
	}
	if p.admin != nil && p.admin.Address() == cfg.Admin.Listen {
		return s, nil
	}
	if s.fresh, err = admin.Listen(cfg.Admin.Listen, s.access, p.options); err != nil {
		return side{}, config.Errors{cfg.Errorf("admin.listen", "cannot listen: %v", err)}
	}
	return s, nil
}

// giveUp is for a config that was refused for something else.
func (s side) giveUp() {
	if s.fresh != nil {
		closeAdmin(s.fresh)
	}
}

// takeAdmin puts what was prepared in force; the caller holds mu.
func (p *process) takeAdmin(s side) {
	switch {
	case s.fresh != nil || s.access == nil:
		if p.admin != nil {
			go closeAdmin(p.admin) // the request that has asked for this may be one of its own
		}
		p.admin = s.fresh
	default:
		p.admin.SetAccess(s.access)
	}
}

func closeAdmin(s *admin.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), closeSide)
	defer cancel()
	_ = s.Close(ctx) // it is of no use any more, however it goes
}

// checkAdmin says what is wrong with the files that the admin table names.
func checkAdmin(cfg *config.Config) error {
	if cfg.Admin == nil {
		return nil
	}
	_, err := admin.NewAccess(cfg)
	return err
}

// together joins what is wrong so that it stays a config.Errors when both are.
func together(one, other error) error {
	var a, b config.Errors
	if errors.As(one, &a) && errors.As(other, &b) {
		return append(a, b...)
	}
	return errors.Join(one, other)
}
