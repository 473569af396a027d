// A fixed answer on fasthttp: main PORT. Run with GOMAXPROCS=1.
package main

import (
	"fmt"
	"net"
	"os"

	"github.com/valyala/fasthttp"
)

var body = []byte("Hello, World!")

func answer(context *fasthttp.RequestCtx) {
	context.SetContentType("text/plain")
	context.SetBody(body)
}

func main() {
	listener, err := net.Listen("tcp4", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("ready %d\n", listener.Addr().(*net.TCPAddr).Port)
	server := fasthttp.Server{Handler: answer, Name: "fasthttp"}
	fmt.Fprintln(os.Stderr, server.Serve(listener))
	os.Exit(1)
}
