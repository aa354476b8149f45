from x import create_app
application = create_app()
