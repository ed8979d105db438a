// A callee with the stack of sipgo and diago: it rings, answers, and gives back what it hears until the far end hangs up.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/emiago/diago"
	"github.com/emiago/sipgo"
)

func main() {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	agent, err := sipgo.NewUA(sipgo.WithUserAgent("diago-peer"))
	if err != nil {
		panic(err)
	}
	callee := diago.NewDiago(agent, diago.WithTransport(diago.Transport{Transport: "udp", BindHost: "127.0.0.1", BindPort: port}))
	err = callee.Serve(ctx, func(in *diago.DialogServerSession) {
		in.Trying()
		in.Ringing()
		media, err := in.Answer(diago.AnswerOptions{})
		if err != nil {
			fmt.Println("FAILED", err)
			return
		}
		fmt.Println("ANSWERED", in.ToUser())
		fmt.Println("ENDED", media.Echo())
	})
	if err != nil && ctx.Err() == nil {
		panic(err)
	}
}
