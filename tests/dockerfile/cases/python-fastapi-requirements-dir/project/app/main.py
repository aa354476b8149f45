api: FastAPI = fastapi.FastAPI()
