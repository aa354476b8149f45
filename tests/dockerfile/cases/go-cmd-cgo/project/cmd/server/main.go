// Command server.
package main
