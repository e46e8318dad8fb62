// Package docs holds the documentation against the code: what a program can print
// is explained where an operator looks for it.
package docs
