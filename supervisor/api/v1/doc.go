// Package broodv1 is the API of a brood server: messages, clients and handlers, generated from
// brood.proto by `make proto`.
//
// A client in Go:
//
//	tasks := broodv1.NewTaskServiceClient(http.DefaultClient, "http://127.0.0.1:7717")
//	submitted, err := tasks.Submit(ctx, &broodv1.SubmitRequest{Task: "thumbnail"})
package broodv1
