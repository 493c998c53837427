package oauth

import (
	"fmt"
	"testing"
	"time"
)

func TestSurplus_BoundsTheFamiliesOfAUser(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []Family
	for i := range maxUserFamilies + 3 {
		all = append(all, Family{
			ID: FamilyID{0, byte(i), byte(i >> 8)}, Grant: Grant{Client: fmt.Sprint("client", i)}, State: Live,
			CreatedAt: now.Add(-time.Duration(i) * time.Minute), ExpiresAt: now.Add(time.Hour), EndsAt: now.Add(time.Hour),
		})
	}
	all[1].State = Ended
	over := surplus(all, now, all[0].Connection())
	if len(over) != 2 || over[0].ID != all[maxUserFamilies+1].ID || over[1].ID != all[maxUserFamilies+2].ID {
		t.Errorf("%d families are too many, want the 2 longest unused", len(over))
	}
	if over := surplus(all[:10], now, all[0].Connection()); over != nil {
		t.Errorf("%d of ten families are too many", len(over))
	}
}
