package identity

import "time"

// ClosingTime is how long an account whose deletion was asked for can be kept
// after all.
const ClosingTime = 7 * 24 * time.Hour
