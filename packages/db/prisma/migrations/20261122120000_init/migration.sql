-- CreateTable
CREATE TABLE "network" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "cidrs" TEXT[],
    "mtu" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL DEFAULT 1,
    "revision" BIGINT NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "network_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "node" (
    "id" UUID NOT NULL,
    "network_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "tags" TEXT[],
    "ephemeral" BOOLEAN NOT NULL DEFAULT false,
    "public_key" TEXT NOT NULL,
    "endpoint" TEXT,
    "listen_port" INTEGER,
    "record" BYTEA,
    "identity_key" BYTEA,
    "signature" BYTEA,
    "start_generation" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "node_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "node_address" (
    "network_id" UUID NOT NULL,
    "address" INET NOT NULL,
    "node_id" UUID,
    "state" TEXT NOT NULL,
    "rested_at" TIMESTAMPTZ(3),

    CONSTRAINT "node_address_pkey" PRIMARY KEY ("network_id","address")
);

-- CreateTable
CREATE TABLE "node_key" (
    "network_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "key" BYTEA NOT NULL,
    "node_id" UUID,
    "state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "banned_at" TIMESTAMPTZ(3),

    CONSTRAINT "node_key_pkey" PRIMARY KEY ("network_id","kind","key")
);

-- CreateTable
CREATE TABLE "join_token" (
    "id" TEXT NOT NULL,
    "network_id" UUID NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "role" TEXT,
    "tags" TEXT[],
    "ephemeral" BOOLEAN NOT NULL DEFAULT false,
    "max_uses" INTEGER,
    "uses" INTEGER NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "join_token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "token_use" (
    "token_id" TEXT NOT NULL,
    "identity_key" BYTEA NOT NULL,
    "node_id" UUID,
    "used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "token_use_pkey" PRIMARY KEY ("token_id","identity_key")
);

-- CreateTable
CREATE TABLE "change_log" (
    "network_id" UUID NOT NULL,
    "revision" BIGINT NOT NULL,
    "node_id" UUID,
    "before" JSONB,
    "after" JSONB,
    "tombstone" JSONB,
    "network_changed" BOOLEAN NOT NULL DEFAULT false,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "change_log_pkey" PRIMARY KEY ("network_id","revision")
);

-- CreateTable
CREATE TABLE "tombstone" (
    "network_id" UUID NOT NULL,
    "node_id" UUID NOT NULL,
    "tombstone" BYTEA NOT NULL,
    "signature" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tombstone_pkey" PRIMARY KEY ("network_id","node_id")
);

-- CreateTable
CREATE TABLE "api_key" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_log" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "network_id" UUID,
    "subject" TEXT NOT NULL,
    "details" JSONB NOT NULL,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "secret" (
    "name" TEXT NOT NULL,
    "sealed" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "secret_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "meta" (
    "name" TEXT NOT NULL,
    "value" JSONB NOT NULL,

    CONSTRAINT "meta_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE UNIQUE INDEX "network_name_key" ON "network"("name");

-- CreateIndex
CREATE INDEX "node_network_id_created_at_id_idx" ON "node"("network_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "node_identity_key_idx" ON "node"("identity_key");

-- CreateIndex
CREATE INDEX "node_address_node_id_idx" ON "node_address"("node_id");

-- CreateIndex
CREATE INDEX "node_key_node_id_idx" ON "node_key"("node_id");

-- CreateIndex
CREATE INDEX "join_token_network_id_created_at_id_idx" ON "join_token"("network_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "token_use_node_id_idx" ON "token_use"("node_id");

-- AddForeignKey
ALTER TABLE "node" ADD CONSTRAINT "node_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "network"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "node_address" ADD CONSTRAINT "node_address_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "network"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "node_address" ADD CONSTRAINT "node_address_node_id_fkey" FOREIGN KEY ("node_id") REFERENCES "node"("id") ON DELETE NO ACTION ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "node_key" ADD CONSTRAINT "node_key_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "network"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "join_token" ADD CONSTRAINT "join_token_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "network"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "token_use" ADD CONSTRAINT "token_use_token_id_fkey" FOREIGN KEY ("token_id") REFERENCES "join_token"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "token_use" ADD CONSTRAINT "token_use_node_id_fkey" FOREIGN KEY ("node_id") REFERENCES "node"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "change_log" ADD CONSTRAINT "change_log_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "network"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tombstone" ADD CONSTRAINT "tombstone_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "network"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema has no words for.

-- A name belongs to one node that is not revoked.
CREATE UNIQUE INDEX "node_name_in_use" ON "node"("network_id", "name") WHERE "status" <> 'revoked';

ALTER TABLE "network" ADD CONSTRAINT "network_counts" CHECK ("epoch" >= 1 AND "revision" >= 1 AND "mtu" BETWEEN 1280 AND 9000);
ALTER TABLE "node" ADD CONSTRAINT "node_words" CHECK (
    "role" IN ('bounce', 'direct', 'client')
    AND "kind" IN ('agent', 'vanilla')
    AND "status" IN ('pending', 'active', 'revoked', 'expired'));
ALTER TABLE "node" ADD CONSTRAINT "node_record_whole" CHECK (
    ("record" IS NULL) = ("identity_key" IS NULL) AND ("record" IS NULL) = ("signature" IS NULL));
ALTER TABLE "node_address" ADD CONSTRAINT "node_address_states" CHECK (
    ("state" = 'in-use' AND "node_id" IS NOT NULL) OR ("state" = 'resting' AND "node_id" IS NULL AND "rested_at" IS NOT NULL));
ALTER TABLE "node_key" ADD CONSTRAINT "node_key_words" CHECK (
    "kind" IN ('wireguard', 'identity') AND "state" IN ('current', 'past', 'banned') AND octet_length("key") = 32);
ALTER TABLE "join_token" ADD CONSTRAINT "join_token_limits" CHECK (
    "uses" >= 0 AND ("max_uses" IS NULL OR "uses" <= "max_uses")
    AND ("role" IS NULL OR "role" IN ('bounce', 'direct', 'client')));
