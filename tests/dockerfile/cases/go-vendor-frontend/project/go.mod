module shop
go 1.21
toolchain go1.24.2
