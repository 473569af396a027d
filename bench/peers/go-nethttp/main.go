// A fixed answer on Go's net/http: main PORT. Run with GOMAXPROCS=1.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

var body = []byte("Hello, World!")

func answer(writer http.ResponseWriter, _ *http.Request) {
	header := writer.Header()
	header.Set("Content-Type", "text/plain")
	header.Set("Content-Length", "13")
	writer.Write(body)
}

func main() {
	listener, err := net.Listen("tcp4", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("ready %d\n", listener.Addr().(*net.TCPAddr).Port)
	fmt.Fprintln(os.Stderr, http.Serve(listener, http.HandlerFunc(answer)))
	os.Exit(1)
}
