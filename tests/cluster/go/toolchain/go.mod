// The compiler, for a Go that is too old to fetch it by itself. Its version names the machine.
module toolchain

go 1.19
