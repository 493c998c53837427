// Command growpanel is the subscription analytics platform in one binary.
package main

import (
	"fmt"
	"os"
)

// version is set by the linker.
var version = "dev"

func main() {
	fmt.Fprintln(os.Stdout, "growpanel", version)
}
