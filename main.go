// Stillup shows events flowing between live services, and what still works when you kill one.
package main

func main() {}
