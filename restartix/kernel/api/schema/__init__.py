"""OpenAPI, read from what each operation declares of itself."""

from restartix.kernel.api.schema.operations import OperationSchema

__all__ = ["OperationSchema"]
