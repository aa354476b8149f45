module example.com/shop/v2

go 1.23.1

require github.com/gin-gonic/gin v1.10.0
