module stream

go 1.25

require github.com/sallyport/sallyport/sdk/go v0.0.0

replace github.com/sallyport/sallyport/sdk/go => ../../../../sdk/go
