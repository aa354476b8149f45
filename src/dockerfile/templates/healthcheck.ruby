HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["ruby", "-rsocket", "-e", "TCPSocket.new('127.0.0.1', {{port}}).close"]
