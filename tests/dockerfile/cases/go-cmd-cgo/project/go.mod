module example.com/shop

go 1.22

require (
	github.com/mattn/go-sqlite3 v1.14.24
	github.com/labstack/echo/v4 v4.13.0
)
