// Package storepb is the format of what package jetstream stores: store.proto, and the code
// generated from it.
package storepb
