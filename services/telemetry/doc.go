// Package telemetry holds the signals of the service: a logger that cannot write
// personal values, typed Prometheus instruments, and OpenTelemetry traces that are off
// by default. Nothing in it is global: what is measured is passed to who measures.
package telemetry
