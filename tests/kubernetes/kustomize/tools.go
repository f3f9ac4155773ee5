//go:build tools

// Package tools pins kustomize: what `kubectl apply -k` has within since Kubernetes 1.27.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
