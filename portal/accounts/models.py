"""People, the roles they hold, and the keys with which programs submit drafts."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone


class Role(models.TextChoices):
    REVIEWER = "reviewer", "Reviewer"
    SUBMITTER = "submitter", "Submitter"
    ADMIN = "admin", "Admin"
    COMPLIANCE = "compliance", "Compliance"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person without roles. `password=None` means that no password will ever match."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person of the firm. Signs in by e-mail; never deleted, because history points here."""

    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=120)
    licence_number = models.CharField(max_length=40, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.full_name or self.email

    @cached_property
    def roles(self) -> frozenset[Role]:
        return frozenset(Role(name) for name in self.grants.values_list("role", flat=True))

    def get_full_name(self) -> str:
        return self.full_name


class RoleGrant(models.Model):
    """One role that one person holds now; the audit log holds who had which role when."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=12, choices=Role.choices)
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "role"], name="one_grant_a_role"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"


class ApiKey(models.Model):
    """A key that can only submit drafts, and read what it submitted. Only its SHA-256 is kept."""

    PREFIX = "csk"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    secret_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, *, name: str, owner: User, by: User) -> tuple[ApiKey, str]:
        """A new key and its token. The token is shown once and cannot be read back."""
        token = f"{cls.PREFIX}_{secrets.token_urlsafe(32)}"
        return cls.objects.create(name=name, owner=owner, created_by=by, secret_sha256=_sha256(token)), token

    @classmethod
    def from_token(cls, token: str) -> ApiKey | None:
        """The live key of an active owner, or None. A digest look-up leaks no timing of the secret."""
        found = cls.objects.select_related("owner").filter(secret_sha256=_sha256(token), revoked_at=None)
        key = found.first()
        return key if key is not None and key.owner.is_active else None


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
