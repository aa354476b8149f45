os.environ.setdefault("DJANGO_SETTINGS_MODULE", "x.settings")
