-- AlterTable
ALTER TABLE "node" ADD COLUMN     "key_warned_for" TIMESTAMPTZ(3);

-- What Prisma's schema has no words for.

-- Every replica asks every few seconds which keys run out.
CREATE INDEX "node_key_due" ON "node"("key_expires_at") WHERE "key_expires_at" IS NOT NULL AND "status" = 'active';
