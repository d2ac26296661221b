module github.com/sallyport/sallyport

go 1.26.0

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/google/go-cmp v0.7.0
	github.com/julienschmidt/httprouter v1.3.0
	github.com/tetratelabs/wazero v1.12.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/fsnotify/fsnotify v1.10.1
	github.com/sallyport/sallyport/sdk/go v0.0.0
)

replace github.com/sallyport/sallyport/sdk/go => ./sdk/go
