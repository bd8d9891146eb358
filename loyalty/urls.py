from loyalty.operations import routes
from loyalty.views import DiagnosticsViewSet

urlpatterns = routes(DiagnosticsViewSet)
